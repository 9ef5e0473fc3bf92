"""What a person touches: the command line, Excel functions, ribbon and other hosts. No arithmetic."""
