"""`casebridge up`: which processes make a running casebridge, and how one machine starts them."""
