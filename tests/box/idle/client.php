<?php
// client.php write|read HOST PORT: a program that keeps a connection, and goes on with a new one. Waits for a line on
// its standard input before it uses the connection again; prints what it gets, one line for each step.

// PHP says why on a line of its own; that is part of what is checked.
set_error_handler(function (int $level, string $text): bool {
    echo "notice: $text\n";
    return true;
});

function show(string $step, mixed $value): void
{
    echo "$step: ", json_encode($value), "\n";
}

function open(string $host, int $port)
{
    $stream = fsockopen(str_contains($host, ':') ? "[$host]" : $host, $port, $errno, $error, 5);
    stream_set_timeout($stream, 5);
    return $stream;
}

function converse($stream): void
{
    show('fwrite', fwrite($stream, "hello\n"));
    show('fgets', fgets($stream));
    show('feof', feof($stream));
}

[, $first, $host, $port] = $argv;
$stream = open($host, (int) $port);
converse($stream);
fgets(STDIN);
if ($first === 'read') {
    show('fgets', fgets($stream));
    show('feof', feof($stream));
}
converse($stream);
fclose($stream);
converse(open($host, (int) $port));
