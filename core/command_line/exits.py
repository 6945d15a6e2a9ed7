"""What a command ends with."""

EXIT_OK, EXIT_USAGE, EXIT_SOME_FAILED, EXIT_STOPPED = 0, 2, 3, 130
