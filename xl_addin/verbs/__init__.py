"""The commands, one module each: `configure(parser)` declares the arguments, `run(args)` does the work."""
