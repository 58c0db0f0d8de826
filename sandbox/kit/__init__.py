"""What the three sandbox systems share: clock, effect journal, wire log, faults, hooks, pages."""
