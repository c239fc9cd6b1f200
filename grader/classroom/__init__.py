"""Many submissions: graded by an executor's workers, and saved one by one."""
