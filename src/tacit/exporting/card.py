def card(*a, **k): return "todo"
