"""Everything about running untrusted code: `host` is our end, `worker` is alone with the student."""
