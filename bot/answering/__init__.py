"""From a question to what is said: what is found, whether it is enough, who writes, and what is checked."""
