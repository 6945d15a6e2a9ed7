"""What each maker of microscopes, and each program, writes about scale and instrument."""
