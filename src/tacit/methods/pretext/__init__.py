"""Methods that learn from a task whose answer the data themselves hold."""
