"""Real servers for tests: each is a child process of the test run, private, on loopback, gone when the run is."""
