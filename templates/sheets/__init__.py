"""What stands on each sheet."""
