"""The proof of a rubric: every named mistake is graded as a submission."""
