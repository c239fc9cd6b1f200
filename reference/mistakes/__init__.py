"""The steps that students get wrong, one file for each part of the network; `reference.misconceptions` lists them all."""
