<?php
// pairs.php NAME PORT PAIRS THREADS: as pairs.c, by fsockopen and stream_socket_client in turns; so many processes. PHP tries
// the next address when one is refused, which the tenant's counters tell.

const TIMEOUT = 10;

function pair(int $i, string $name, int $port): array
{
    $stream = $i % 2 ? @fsockopen($name, $port, $errno, $error, TIMEOUT)
        : @stream_socket_client("tcp://$name:$port", $errno, $error, TIMEOUT);
    if ($stream) {
        socket_set_option(socket_import_stream($stream), SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0]);
        return ['ok', ''];
    }
    return [in_array($errno, [SOCKET_EACCES, SOCKET_EPERM]) ? 'refused' : 'other', $error ?: 'no name'];
}

// One process's share: its counts, to the pipe.
function share($pipe, int $pairs, string $name, int $port): void
{
    $counts = ['ok' => 0, 'refused' => 0, 'other' => 0];
    for ($i = 0; $i < $pairs; $i++) {
        [$what, $why] = pair($i, $name, $port);
        $counts[$what]++;
        if ($why !== '') {
            echo "$what $why\n";
        }
    }
    fwrite($pipe, implode(' ', $counts) . "\n");
}

[, $name, $port, $pairs, $threads] = $argv;
[$in, $out] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
for ($i = 0; $i < $threads; $i++) {
    if (pcntl_fork() === 0) {
        share($out, intdiv($pairs + $i, $threads), $name, $port);
        exit(0);
    }
}
fclose($out);
$sum = [0, 0, 0];
while (($line = fgets($in)) !== false) {
    $sum = array_map(fn($a, $b) => $a + (int) $b, $sum, explode(' ', $line));
}
vprintf("ok %d refused %d other %d\n", $sum);
