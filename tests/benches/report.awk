# From lines `SYSTEM ROUND NAME VALUE` to the table and the figures of the bench.

BEGIN {
    rows = split("accepted_per_s delivered_per_s accept_p50_ms accept_p99_ms end_to_end_p50_ms end_to_end_p99_ms " \
        "half_accept_p50_ms half_accept_p99_ms steady_accept_p50_ms steady_end_to_end_p50_ms steady_end_to_end_p99_ms " \
        "cpu_s program_cpu_s database_cpu_s commits wal_syncs wal_kb " \
        "idle_mb peak_mb first_start_ms start_ms binary_mb lost duplicates", row, " ")
    split("accepted/s|delivered/s|accept p50, closed loop|accept p99, closed loop|end to end p50, closed loop|" \
        "end to end p99, closed loop|accept p50 at half of delivered/s|accept p99 at half of delivered/s|" \
        "accept p50 at 100/s|end to end p50 at 100/s|end to end p99 at 100/s|CPU per 1,000|... of the program|" \
        "... of the database|commits per message|WAL syncs per message|WAL per message|memory, idle|memory, peak|" \
        "first start to 200|start to 200|program|lost|came twice", label, "|")
    split("1/s 1/s ms ms ms ms ms ms ms ms ms s s s 1 1 KB MB MB ms ms MB 1 1", unit, " ")
    systems = split("echo sqlite postgres", known, " ")
}

{
    name = $3
    # Whatever the phase, a loss is a loss.
    if (name ~ /lost$/) name = "lost"
    if (name ~ /duplicates$/) name = "duplicates"
    if (($1, name, $2) in value && (name == "lost" || name == "duplicates")) {
        value[$1, name, $2] += $4
    } else {
        value[$1, name, $2] = $4
    }
    if ($2 > rounds) rounds = $2
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

# The median of the rounds' ratios to the echo.
function ratio(of, name,    round, count, list) {
    for (round = 1; round <= rounds; round++)
        if ((of, name, round) in value && value["echo", name, round] > 0)
            list[++count] = value[of, name, round] / value["echo", name, round]
    return count ? sprintf("%.3g", median(list, count)) : "-"
}

function shown(number) {
    if (number == "") return "-"
    if (number == int(number) || number >= 1000) return sprintf("%d", number)
    return sprintf(number >= 100 ? "%.0f" : number >= 10 ? "%.1f" : "%.3g", number)
}

END {
    printf "\n%-36s %10s %10s %10s\n", "", "SQLite", "PostgreSQL", "echo"
    for (i = 1; i <= rows; i++) {
        unit_shown = (unit[i] == "1" || unit[i] == "1/s") ? "" : " (" unit[i] ")"
        printf "%-36s %10s %10s %10s\n", label[i] unit_shown, shown(middle("sqlite", row[i])), shown(middle("postgres", row[i])), shown(middle("echo", row[i]))
    }
    print ""
    for (s = 1; s <= systems; s++)
        for (i = 1; i <= rows; i++) {
            found = middle(known[s], row[i])
            if (found == "") continue
            reference = known[s] == "echo" ? "" : middle("echo", row[i])
            of_echo = reference == "" ? "-" : ratio(known[s], row[i])
            printf "figure %s_%s %s %s %s %s\n", known[s], row[i], shown(found), unit[i], shown(reference), of_echo
        }
}
