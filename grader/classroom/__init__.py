"""Many submissions: mapped over an executor, written down one by one."""
