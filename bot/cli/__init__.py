"""`twin …`: one file per group of commands."""
