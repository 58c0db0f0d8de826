"""Every change of the site's state, used by the API and the person pages alike.

A change checks first (raising RefusedError, with nothing changed), then changes the state, writes history and the
effect journal in the same step, and last fires the webhook where the stock app would.
"""
