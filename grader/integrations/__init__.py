"""Where people already work: a notebook's kernel, and other doors to the check that a command also opens."""
