"""What a fit leaves over, who moves it, and how much it explains."""
