"""The tables of the add-on."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):  # type: ignore[misc]
    initial = True

    dependencies = [
        ("alerts", "__first__"),
        ("user_management", "__first__"),
        ("base", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Installation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("backend", models.CharField(max_length=100)),
                ("external_id", models.CharField(max_length=64, unique=True)),
                ("state", models.CharField(max_length=16)),
                ("problem", models.TextField(default="")),
                ("updated_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="user_management.organization"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SeenEvent",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("seen_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("backend", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=128, unique=True)),
                ("target", models.JSONField()),
                ("revision", models.BigIntegerField(default=0)),
                ("is_deleted", models.BooleanField(default=False)),
                ("problem", models.TextField(default="")),
                ("is_important", models.BooleanField(default=False)),
                ("is_delivered", models.BooleanField(null=True)),
                (
                    "alert_group",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="alerts.alertgroup",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="base.usernotificationpolicy",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="user_management.user",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["alert_group", "backend"], name="oncall_chat_alert_g_7e3da3_idx")],
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("user", "User"), ("channel", "Channel")], max_length=8)),
                ("external_id", models.CharField(max_length=64, unique=True)),
                ("platform_id", models.CharField(default="", max_length=255)),
                ("name", models.CharField(default="", max_length=255)),
                ("display_name", models.CharField(default="", max_length=255)),
                ("team", models.CharField(default="", max_length=255)),
                ("is_default", models.BooleanField(default=False)),
                ("is_lost", models.BooleanField(default=False)),
                ("is_gone", models.BooleanField(default=False)),
                ("updated_at", models.DateTimeField()),
                (
                    "installation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="oncall_chatport.installation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="user_management.user",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["installation", "kind", "is_gone"], name="oncall_chat_install_36a56c_idx"),
                    models.Index(fields=["user", "is_gone"], name="oncall_chat_user_id_89bd50_idx"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="installation",
            index=models.Index(fields=["organization", "backend"], name="oncall_chat_organiz_517407_idx"),
        ),
    ]
