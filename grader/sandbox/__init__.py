"""Everything about running untrusted code: `host` is our end, `worker_main` runs alone with the student."""
