# From the lines of `perf report` (share, thread, object, function) to what the processor
# time went into, and the functions that took most. The first part that a line fits takes it.

function part(thread, object, symbol) {
    if (object ~ /^\[kernel/) {
        if (symbol ~ /task_switch|schedule|spin_unlock_irq|futex|wake|ttwu|irqentry/) return "kernel: switching and waking threads, interrupts"
        if (symbol ~ /tcp|sock|skb|inet|ip_|_ip|nf_|net_|epoll|ep_/) return "kernel: network"
        return "kernel: files, memory, the rest"
    }
    if (object ~ /^(lib(c|m)[.-]|ld-|\[vdso)/) {
        if (symbol ~ /alloc|free|unlink_chunk|arena/) return "memory: getting and giving back"
        if (symbol ~ /mem(move|cpy|cmp|set|chr)|str/) return "memory: copying and comparing"
        return "C library, the rest"
    }
    if (thread ~ /^postgres/) return "PostgreSQL"
    if (symbol ~ /__rdl_|__rust_|raw_vec|(^| )_?mi_|operator (new|delete)|(^| )(malloc|calloc|realloc|free|posix_memalign)$/) return "memory: getting and giving back"
    if (symbol ~ /chatport_/) return "Chatport's own code"
    if (symbol ~ /sqlx|sea_orm|sea_query|flume/) return "database driver and query building"
    if (symbol ~ /aws_lc|rustls/) return "cryptography"
    if (symbol ~ /serde|itoa|ryu/) return "JSON"
    if (symbol ~ /hyper|axum|http|tower|httparse/) return "HTTP"
    if (symbol ~ /tokio|mio::|parking_lot|std::thread|futures/) return "async runtime"
    if (symbol ~ /metrics|tracing/) return "metrics and logs"
    if (symbol !~ /::|^0x/) return "SQLite"
    return "the rest"
}

{
    share = $1 + 0
    symbol = $5
    for (i = 6; i <= NF; i++) symbol = symbol " " $i
    parts[part($2, $3, symbol)] += share
    functions[symbol] += share
}

# Print the largest of a list, at most so many.
function largest(list, most,    shown, name, best) {
    while (shown++ < most) {
        best = ""
        for (name in list) if (best == "" || list[name] > list[best]) best = name
        if (best == "" || list[best] < 0.1) return
        printf "%6.1f %%  %s\n", list[best], substr(best, 1, 110)
        delete list[best]
    }
}

END {
    print "what the processor time went into"
    largest(parts, 20)
    print "\nfunctions"
    largest(functions, 30)
}
