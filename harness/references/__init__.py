"""R's engines: the one process that runs R, one decoder per engine, and pins of what they said."""
