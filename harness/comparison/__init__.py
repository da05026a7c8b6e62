"""The judge: tolerances with a basis, alignment of classes, verdicts, and why two engines disagree."""
