# From lines `SYSTEM ROUND NAME VALUE` to the tables and the figures of the bench. What is
# measured stands in `row` calls; what is to be reached in `goal` calls.

# A row of the long table and its figures. `other`: the row of the same system that is its
# reference; without it, the reference is the same row of the reference system.
function row(name, label, unit, other) {
    names[++rows] = name; labels[name] = label; units[name] = unit; others[name] = other
}

BEGIN {
    row("accepted_per_s", "accepted/s, closed loop", "1/s")
    row("delivered_per_s", "delivered/s, closed loop", "1/s")
    row("accept_p50_ms", "accept p50, closed loop", "ms")
    row("accept_p99_ms", "accept p99, closed loop", "ms")
    row("end_to_end_p50_ms", "end to end p50, closed loop", "ms")
    row("end_to_end_p99_ms", "end to end p99, closed loop", "ms")
    row("cpu_s", "CPU per 1,000", "s")
    row("program_cpu_s", "... of the program", "s")
    row("database_cpu_s", "... of the database", "s")
    row("driver_cpu_s", "besides: of the driver", "s")
    row("platform_cpu_s", "besides: of the platform", "s")
    row("commits", "commits per message", "1")
    row("wal_syncs", "WAL syncs per message", "1")
    row("wal_kb", "WAL per message", "KB")
    row("half_accept_p50_ms", "accept p50 at half of the peak", "ms")
    row("half_accept_p99_ms", "accept p99 at half of the peak", "ms")
    row("half_end_to_end_p99_ms", "end to end p99 at half of the peak", "ms")
    row("steady_accept_p50_ms", "accept p50 at 100/s", "ms")
    row("steady_end_to_end_p50_ms", "end to end p50 at 100/s", "ms")
    row("steady_end_to_end_p99_ms", "end to end p99 at 100/s", "ms")
    row("steady_over_platform_ms", "p50 at 100/s over the platform's own", "ms")
    row("press_answer_p50_ms", "press to answer p50 at 500/s", "ms")
    row("press_answer_p99_ms", "press to answer p99 at 500/s", "ms")
    row("press_cpu_s", "CPU per 1,000 presses", "s")
    row("before_limited_end_to_end_p99_ms", "p99 beside a sound one, before 429", "ms")
    row("beside_limited_end_to_end_p99_ms", "p99 beside one answering 429", "ms", "before_limited_end_to_end_p99_ms")
    row("before_hanging_end_to_end_p99_ms", "p99 beside a sound one, before it hangs", "ms")
    row("beside_hanging_end_to_end_p99_ms", "p99 beside one that hangs", "ms", "before_hanging_end_to_end_p99_ms")
    row("pending_few_cpu_s", "CPU per 1,000, 1,000 copies waiting", "s")
    row("pending_many_cpu_s", "CPU per 1,000, " thousands(pending) " waiting", "s", "pending_few_cpu_s")
    row("pending_many_filled_per_s", "copies accepted/s while filling", "1/s")
    row("pending_peak_mb", "memory, peak, with these", "MB")
    row("idle_mb", "memory, idle", "MB")
    row("peak_mb", "memory, peak", "MB")
    row("first_start_ms", "first start to 200", "ms")
    row("start_ms", "start to 200", "ms")
    row("binary_mb", "program", "MB")
    row("lost", "lost", "1")
    row("duplicates", "came twice", "1")
    systems = split("sqlite postgres minimal_sqlite minimal_postgres echo", known, " ")
    reference["sqlite"] = "minimal_sqlite"; reference["postgres"] = "minimal_postgres"
    reference["minimal_sqlite"] = reference["minimal_postgres"] = "echo"
}

{
    name = $3
    # Whatever the phase, a loss is a loss.
    if (name ~ /lost$/) name = "lost"
    if (name ~ /duplicates$/) name = "duplicates"
    if (name == "lost" || name == "duplicates") value[$1, name, $2] += $4
    else value[$1, name, $2] = $4
    if ($2 > rounds) rounds = $2
}

function thousands(number) {
    return number >= 1000 ? thousands(int(number / 1000)) "," sprintf("%03d", number % 1000) : number ""
}

function median(list, count,    i, j, swap) {
    for (i = 2; i <= count; i++)
        for (j = i; j > 1 && list[j] + 0 < list[j - 1] + 0; j--) { swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap }
    if (count % 2) return list[(count + 1) / 2]
    return (list[count / 2] + list[count / 2 + 1]) / 2
}

# The median of a system's values. Losses are added up instead: one is one too many.
function middle(of, name,    round, count, total, list) {
    for (round = 1; round <= rounds; round++)
        if ((of, name, round) in value) { list[++count] = value[of, name, round]; total += value[of, name, round] }
    if (!count) return ""
    return (name == "lost" || name == "duplicates") ? total : median(list, count)
}

# The median of the rounds' ratios of one row of one system to another's.
function ratio(of, name, to, other,    round, count, list) {
    for (round = 1; round <= rounds; round++)
        if ((of, name, round) in value && (to, other, round) in value && value[to, other, round] > 0)
            list[++count] = value[of, name, round] / value[to, other, round]
    return count ? median(list, count) : ""
}

# The reference of a row: sets `to` and `base`. Platform and driver are nobody's measure.
function find_reference(of, name) {
    to = reference[of]; base = name
    if (others[name] != "") { to = of; base = others[name] }
    if (name == "steady_over_platform_ms") { to = "platform"; base = "steady_end_to_end_p50_ms" }
    if (name == "lost" || name == "duplicates" || name == "driver_cpu_s" || name == "platform_cpu_s") to = ""
}

function shown(number) {
    if (number == "") return "-"
    if (number == int(number) || number >= 1000) return sprintf("%d", number)
    return sprintf(number >= 100 ? "%.0f" : number >= 10 ? "%.1f" : "%.3g", number)
}

# A line of the short table: the value, or its ratio to its reference, and the bars. Where
# the bars differ, the one for SQLite stands first.
function goal(label, name, what, reach, beyond,    s, cell) {
    for (s = 1; s <= 2; s++) {
        find_reference(known[s], name)
        cell[s] = what == "value" ? middle(known[s], name) : ratio(known[s], name, to, base)
    }
    printf "%-52s %10s %10s   %-14s %s\n", label, shown(cell[1]), shown(cell[2]), reach, beyond
}

END {
    for (s = 1; s <= systems; s++)
        for (round = 1; round <= rounds; round++)
            if ((known[s], "steady_end_to_end_p50_ms", round) in value && ("platform", "steady_end_to_end_p50_ms", round) in value)
                value[known[s], "steady_over_platform_ms", round] = \
                    value[known[s], "steady_end_to_end_p50_ms", round] - value["platform", "steady_end_to_end_p50_ms", round]

    printf "\n%-52s %10s %10s   %-14s %s\n", "", "SQLite", "PostgreSQL", "to reach", "beyond"
    goal("CPU per 1,000 delivered, database included (s)", "cpu_s", "value", "0.15 / 0.25", "0.08 / 0.12")
    goal("... to that of the minimal engine", "cpu_s", "ratio", "", "")
    goal("delivered/s, closed loop of connections", "delivered_per_s", "value", "", "")
    goal("... to that of the minimal engine", "delivered_per_s", "ratio", ">= 0.5", ">= 0.8")
    goal("accept p99 at half of the peak (ms)", "half_accept_p99_ms", "value", "15", "5")
    goal("end to end p50 at 100/s over the platform's own (ms)", "steady_over_platform_ms", "value", "5", "2")
    goal("cost of a message, " thousands(pending) " waiting to 1,000", "pending_many_cpu_s", "ratio", "1.3", "1.05")
    goal("commits per delivered message", "commits", "value", "0.25", "0.15")
    goal("WAL syncs per delivered message", "wal_syncs", "value", "0.25", "0.15")
    goal("WAL per delivered message (KB)", "wal_kb", "value", "2", "1.6")
    goal("memory, idle (MB)", "idle_mb", "value", "30", "15")
    goal("memory, peak (MB)", "peak_mb", "value", "80", "40")
    goal("start to first 200 (ms)", "start_ms", "value", "150", "60")
    goal("stripped program (MB)", "binary_mb", "value", "30", "18")
    goal("press to answer p99 at 500/s (ms)", "press_answer_p99_ms", "value", "10", "5")
    goal("p99 of others beside one answering 429, to without", "beside_limited_end_to_end_p99_ms", "ratio", "2", "1.2")
    goal("p99 of others beside one that hangs, to without", "beside_hanging_end_to_end_p99_ms", "ratio", "2", "1.2")
    goal("lost", "lost", "value", "0", "")
    goal("came twice", "duplicates", "value", "0", "")

    printf "\n%-42s %10s %10s %10s %10s %10s\n", "", "SQLite", "PostgreSQL", "minimal S", "minimal P", "echo"
    for (i = 1; i <= rows; i++) {
        name = names[i]
        printf "%-42s", labels[name] (units[name] == "1" || units[name] == "1/s" ? "" : " (" units[name] ")")
        for (s = 1; s <= systems; s++) printf " %10s", shown(middle(known[s], name))
        print ""
    }
    print ""
    for (s = 1; s <= systems; s++)
        for (i = 1; i <= rows; i++) {
            name = names[i]
            found = middle(known[s], name)
            if (found == "") continue
            find_reference(known[s], name)
            printf "figure %s_%s %s %s %s %s\n", known[s], name, shown(found), units[name], \
                shown(to == "" ? "" : middle(to, base)), shown(to == "" ? "" : ratio(known[s], name, to, base))
        }
}
