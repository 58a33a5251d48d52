"""Small environments with real dynamics, to copy from and to test with."""
