<?php
// fetch.php MODE URL: print what URL answers. MODE: blocking, nonblocking, or options (socket options only).

const TIMEOUT = 5;
const OPTIONS = ['SO_KEEPALIVE', 'SO_DEBUG', 'TCP_NODELAY', 'SO_LINGER', 'SO_OOBINLINE', 'SO_SNDBUF', 'SO_RCVBUF', 'SO_REUSEADDR'];

function fail(string $message): never
{
    fwrite(STDERR, "error: $message\n");
    exit(1);
}

function open_blocking(string $host, int $port)
{
    $stream = @fsockopen($host, $port, $errno, $error, TIMEOUT);
    return $stream ?: fail($error);
}

function open_nonblocking(string $host, int $port)
{
    $flags = STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT;
    $stream = @stream_socket_client("tcp://$host:$port", $errno, $error, TIMEOUT, $flags);
    if (!$stream) {
        fail($error);
    }
    $read = $except = null;
    $write = [$stream];
    if (!stream_select($read, $write, $except, TIMEOUT) || stream_socket_get_name($stream, true) === false) {
        fail('not connected');
    }
    return $stream;
}

function fetch($stream, string $host, string $path): void
{
    stream_set_timeout($stream, TIMEOUT);
    fwrite($stream, "GET $path HTTP/1.0\r\nHost: $host\r\n\r\n");
    $answer = stream_get_contents($stream);
    if (stream_get_meta_data($stream)['timed_out'] || !str_contains($answer, "\r\n\r\n")) {
        fail('no answer');
    }
    echo explode("\r\n\r\n", $answer, 2)[1];
}

function show(mixed $value): string
{
    return is_array($value) ? implode(',', $value) : (string) $value;
}

// options: one line "NAME get=VALUE set=ok" for each option, with the name of the error instead where one happens.
function options($stream): void
{
    $socket = socket_import_stream($stream) ?: fail('no socket');
    foreach (OPTIONS as $name) {
        $level = $name === 'TCP_NODELAY' ? SOL_TCP : SOL_SOCKET;
        $value = @socket_get_option($socket, $level, constant($name));
        $get = $value === false ? socket_strerror(socket_last_error($socket)) : show($value);
        $new = $name === 'SO_LINGER' ? ['l_onoff' => 1, 'l_linger' => 3] : 1;
        $set = @socket_set_option($socket, $level, constant($name), $new) ? 'ok' : socket_strerror(socket_last_error($socket));
        echo "$name get=$get set=$set\n";
    }
}

[, $mode, $url] = $argv;
$host = parse_url($url, PHP_URL_HOST);
$port = parse_url($url, PHP_URL_PORT) ?? 80;
$path = parse_url($url, PHP_URL_PATH) ?? '/';
$stream = $mode === 'nonblocking' ? open_nonblocking($host, $port) : open_blocking($host, $port);
$mode === 'options' ? options($stream) : fetch($stream, $host, $path);
