"""Reports as text: one file for each format, listed in `formats.REPORT_FORMATS`."""
