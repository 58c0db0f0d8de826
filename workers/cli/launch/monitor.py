"""The Celery application as Flower opens it: `celery -A workers.cli.launch.monitor flower`."""

from workers.app import app

# Flower asks every worker several things at once; with the four connections of a worker's pool it waits in vain.
app.conf.broker_pool_limit = 32
