"""Whether a rubric is right: every named mistake handed in as a submission, and what the checks make of it."""
