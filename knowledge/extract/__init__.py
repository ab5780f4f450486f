"""Getting text out of files: one module per format, run in a limited child process."""
