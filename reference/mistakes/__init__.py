"""The steps that students get wrong, one file for each part of the network; `reference.catalogue` lists them all."""
