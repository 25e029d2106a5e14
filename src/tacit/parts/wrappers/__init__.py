"""Parts of methods around other methods, and of stages that go on from others."""
