"""What operators can ask and do, once for all doors: the command line and the web call the same functions."""
