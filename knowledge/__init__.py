"""Files and texts in, cited passages out. Knows nothing of chat."""
