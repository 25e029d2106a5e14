"""Runs judged: evaluated, compared, dissected, adapted, diagnosed and reported, by the numbers of `evaluation`."""
