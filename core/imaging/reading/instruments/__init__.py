"""Files of instruments, opened in a process of their own with bounded time and memory."""
