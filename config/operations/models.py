"""What the parts of an installation leave for one another to see: signs of life, and counts."""

from datetime import datetime

from django.db import models

from tenants import database_time


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def beat(self, part: str, *, process: str = "", now: datetime | None = None) -> None:
        """Write down that a part lives."""
        at = now or database_time.now()
        if not self.filter(part=part, process=process).update(at=at):
            self.get_or_create(part=part, process=process, defaults={"at": at})


class Heartbeat(models.Model):
    """When a part of the installation was last heard from."""

    class Part(models.TextChoices):
        BEAT = "beat", "The scheduler sent a tick"
        TICK = "tick", "A worker took a tick"
        WORKER = "worker", "A worker process lives"

    part = models.CharField(max_length=16, choices=Part)
    # Tells the processes of one part apart, by a random name; empty where it doesn't matter which it was.
    process = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField()

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("part", "process"), name="heartbeat_unique"),)

    def __str__(self) -> str:
        return f"{self.part} at {self.at:%Y-%m-%d %H:%M:%S}"


class Sample(models.Model):
    """One count, added up over all processes since the installation began."""

    # [name, [label, value], …] as JSON.
    series = models.CharField(max_length=500, primary_key=True)
    value = models.FloatField(default=0.0)

    def __str__(self) -> str:
        return self.series
