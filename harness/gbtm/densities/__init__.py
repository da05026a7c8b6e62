"""Laws of what was seen of a subject, given its class; each is a `ClassDensity`."""
