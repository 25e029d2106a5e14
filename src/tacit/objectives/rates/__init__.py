"""How many bits it takes to tell where samples lie, all together and each beside those of its group."""
