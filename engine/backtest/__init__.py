"""What a rebalancing policy would have done: policies, their run over past closes, figures, and what is noise."""
