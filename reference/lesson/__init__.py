"""The lesson: one template of the notebook for every network of the family, and the figures that are printed in it."""
