"""What is recorded of simulations: fields and constraints, no workflow.

`lifecycle` changes a status, `recorder` inserts metrics; nothing else writes either.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Status(models.TextChoices):
    QUEUED = "queued"
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


ACTIVE = (Status.QUEUED, Status.PENDING, Status.RUNNING)
FINISHED = (Status.COMPLETED, Status.FAILED, Status.STOPPED)


class Simulation(models.Model):
    """One submitted configuration and the state of its execution."""

    simulation_id = models.CharField(max_length=64, unique=True, editable=False)
    display_name = models.CharField(max_length=100, blank=True)
    notes = models.TextField(blank=True)
    config = models.JSONField(help_text="As submitted.")
    warnings = models.JSONField(default=list, blank=True)
    seed = models.BigIntegerField()
    engine = models.CharField(max_length=20, default="local")
    idempotency_key = models.CharField(max_length=200, null=True, unique=True, editable=False)

    strategy_names = models.CharField(max_length=500, help_text="Keywords, joined by commas.")
    attack_types = models.CharField(
        max_length=500, blank=True, help_text="Of all strategies, joined by commas."
    )
    dataset_keyword = models.CharField(max_length=200)
    num_of_rounds = models.PositiveIntegerField()
    num_of_clients = models.PositiveIntegerField()
    num_of_strategies = models.PositiveIntegerField()

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    error = models.TextField(blank=True)
    current_strategy = models.PositiveIntegerField(default=0)
    current_round = models.PositiveIntegerField(default=0)
    rounds_done = models.PositiveIntegerField(default=0, help_text="Over all strategies.")
    rounds_total = models.PositiveIntegerField(help_text="Over all strategies.")

    created_at = models.DateTimeField()
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    attempt = models.PositiveIntegerField(default=0)
    fruitless_attempts = models.PositiveIntegerField(
        default=0, help_text="Attempts since a round was last finished."
    )
    attempt_token = models.CharField(max_length=64, blank=True, editable=False)
    supervisor_host = models.CharField(max_length=255, blank=True)
    supervisor_boot_id = models.CharField(max_length=64, blank=True)
    supervisor_pid = models.PositiveIntegerField(null=True, blank=True)
    supervisor_started = models.FloatField(null=True, blank=True, help_text="Process create time.")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True, help_text="Hidden from the list.")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="simulation_newest"),
            models.Index(fields=["status", "queued_at", "id"], name="simulation_queue"),
            models.Index(fields=["dataset_keyword"], name="simulation_dataset"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="simulation_status"),
            models.CheckConstraint(
                condition=Q(rounds_done__lte=F("rounds_total")), name="simulation_rounds_done"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ACTIVE, finished_at__isnull=True)
                | Q(status__in=FINISHED, finished_at__isnull=False),
                name="simulation_finished_at",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.simulation_id

    @property
    def progress(self) -> float:
        return self.rounds_done / self.rounds_total if self.rounds_total else 0.0


class SimulationTag(models.Model):
    """A label to find simulations by."""

    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=50)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["simulation", "name"], name="simulation_tag_once")
        ]
        indexes = [models.Index(fields=["name"], name="simulation_tag_name")]

    def __str__(self) -> str:
        return self.name


class StrategyRun(models.Model):
    """One strategy of a simulation; `config` is resolved, nothing in it is left open."""

    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, related_name="strategies")
    number = models.PositiveIntegerField()
    keyword = models.CharField(max_length=50)
    name = models.CharField(max_length=100)
    config = models.JSONField()
    total_rounds = models.PositiveIntegerField()
    current_round = models.PositiveIntegerField(default=0)
    num_parameters = models.PositiveBigIntegerField(null=True, blank=True)
    client_sizes = models.JSONField(default=list, help_text="Samples of each client.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    ended_early = models.TextField(blank=True, help_text="Why before the last round.")
    final_loss = models.FloatField(null=True, blank=True)
    final_accuracy = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["simulation_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["simulation", "number"], name="strategy_number_once"),
            models.CheckConstraint(
                condition=Q(current_round__lte=F("total_rounds")), name="strategy_current_round"
            ),
        ]
        indexes = [models.Index(fields=["keyword"], name="strategy_keyword")]

    def __str__(self) -> str:
        return f"{self.simulation_id}/{self.number} {self.name}"


class RoundMetrics(models.Model):
    """What was measured of one round; null is what was not measured or not finite."""

    strategy_run = models.ForeignKey(StrategyRun, on_delete=models.CASCADE, related_name="rounds")
    round_number = models.PositiveIntegerField()
    aggregated_loss = models.FloatField(null=True)
    average_accuracy = models.FloatField(null=True)
    average_accuracy_std = models.FloatField(null=True)
    global_accuracy = models.FloatField(null=True)
    global_loss = models.FloatField(null=True)
    attack_success_rate = models.FloatField(null=True)
    removal_threshold = models.FloatField(null=True)
    score_calculation_time_ns = models.BigIntegerField(null=True)
    round_seconds = models.FloatField(null=True)
    tp = models.PositiveIntegerField(null=True, help_text="Benign clients aggregated.")
    tn = models.PositiveIntegerField(null=True, help_text="Malicious clients not aggregated.")
    fp = models.PositiveIntegerField(null=True, help_text="Malicious clients aggregated.")
    fn = models.PositiveIntegerField(null=True, help_text="Benign clients not aggregated.")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["strategy_run_id", "round_number"]
        verbose_name_plural = "round metrics"
        constraints = [
            models.UniqueConstraint(fields=["strategy_run", "round_number"], name="round_once"),
            models.CheckConstraint(condition=Q(round_number__gte=1), name="round_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.strategy_run_id} round {self.round_number}"


class ClientRound(models.Model):
    """What was measured of one client in one round."""

    strategy_run = models.ForeignKey(
        StrategyRun, on_delete=models.CASCADE, related_name="client_rounds"
    )
    round_number = models.PositiveIntegerField()
    client_id = models.PositiveIntegerField()
    loss = models.FloatField(null=True)
    accuracy = models.FloatField(null=True)
    train_loss = models.FloatField(null=True)
    absolute_distance = models.FloatField(null=True)
    removal_criterion = models.FloatField(null=True)
    participated = models.BooleanField()
    is_malicious = models.BooleanField()
    is_removed = models.BooleanField()
    num_examples = models.PositiveIntegerField()
    train_seconds = models.FloatField(null=True)

    class Meta:
        ordering = ["strategy_run_id", "round_number", "client_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["strategy_run", "round_number", "client_id"], name="client_round_once"
            ),
            models.CheckConstraint(condition=Q(round_number__gte=1), name="client_round_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.strategy_run_id} round {self.round_number} client {self.client_id}"


class RunEvent(models.Model):
    """What happened to a simulation: the source of streams and of the history, in order of id.

    Whoever inserts one has changed the simulation's row in the same transaction, so that the row's
    lock keeps the order of ids and the order of commits the same.
    """

    simulation = models.ForeignKey(Simulation, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=30)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["simulation", "id"], name="event_order")]

    def __str__(self) -> str:
        return f"{self.simulation_id} #{self.pk} {self.kind}"
