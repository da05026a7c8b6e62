"""What a fit says about rows: those it was made from, new visits of known subjects, and new subjects."""
