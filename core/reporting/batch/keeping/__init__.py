"""What a batch leaves on the disk while it runs, and what it is when it is finished."""
