<?php
// What a PHP program sees of its sockets. Reads actions, one a line, and answers each with one line.
//
//   tcp|later|udp ADDRESS PORT   connect and talk to it: "connected", "answered", or the error
//   smtp NAME PORT               send a mail: "sent", or the error; on port 465 with TLS from the start, else by STARTTLS
//   pop|imap NAME PORT           look into the mailbox, over TLS: "fetched", or the error
//   socket FAMILY TYPE PROTOCOL  make one: "made", or the error
//   bind FAMILY ADDRESS PORT     "bound", or the error
//   serve FILE                   listen, tell FILE the port, and wait: "a visitor", "nobody came", or the error
//   option NAME                  set it to another value, then ask for it: "VALUE, set ok", or the error
//   pass NAME                    only ask
//   give PATH ADDRESS PORT       send a UDP socket to who waits at PATH, and hear in PATH.answer what became of it

const SECONDS = 2;
const MAIL_SECONDS = 20;

function reason(string $error): string
{
    return preg_replace('/^.*: (?=[A-Z])|^.* \((.*)\)$/', '$1', $error);
}

function target(string $scheme, string $address, string $port): string
{
    return $scheme . '://' . (str_contains($address, ':') ? "[$address]" : $address) . ":$port";
}

function tcp(string $address, string $port): string
{
    $host = str_contains($address, ':') ? "[$address]" : $address;
    $stream = @fsockopen("tcp://$host", (int) $port, $errno, $error, SECONDS);
    return $stream ? 'connected' : $error;
}

// As an event loop does: start, select, and see whether there is a peer.
function later(string $address, string $port): string
{
    $flags = STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT;
    $stream = @stream_socket_client(target('tcp', $address, $port), $errno, $error, SECONDS, $flags);
    if (!$stream) {
        return $error;
    }
    $read = $except = null;
    $write = [$stream];
    stream_select($read, $write, $except, SECONDS);
    return stream_socket_get_name($stream, true) === false ? 'no peer' : 'connected';
}

function udp(string $address, string $port): string
{
    $stream = @stream_socket_client(target('udp', $address, $port), $errno, $error, SECONDS);
    if (!$stream) {
        return $error;
    }
    // a question for a name server; whoever echoes, echoes it
    $question = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\3dns\6google\0\0\1\0\1";
    stream_set_timeout($stream, SECONDS);
    @fwrite($stream, $question);
    return (string) fread($stream, 2000) === '' ? 'no answer' : 'answered';
}

// A server of mail, by its name, as any program has it; its certificate is looked at.
function mail_server(string $scheme, string $name, string $port)
{
    $tls = stream_context_create(['ssl' => ['cafile' => getenv('LAB_CERT'), 'peer_name' => $name]]);
    $stream = @stream_socket_client("$scheme://$name:$port", $errno, $error, MAIL_SECONDS, STREAM_CLIENT_CONNECT, $tls);
    if ($stream) {
        stream_set_timeout($stream, MAIL_SECONDS);
    }
    return $stream ?: throw new Exception($error ?: 'no TLS');
}

// Each line is sent, and answered with one that begins as wanted. Before it may be others: CODE-TEXT of SMTP, * TEXT of IMAP.
function converse($stream, array $lines): void
{
    foreach ($lines as [$line, $wanted]) {
        fwrite($stream, $line === '' ? '' : "$line\r\n");
        do {
            $answer = fgets($stream);
        } while (preg_match('/^(\d{3}-|\* )/', (string) $answer) && !str_starts_with($answer, $wanted));
        str_starts_with((string) $answer, $wanted) || throw new Exception("$line: " . trim((string) $answer));
    }
}

function smtp(string $name, string $port): string
{
    [$user, $password] = [getenv('LAB_USER'), getenv('LAB_PASSWORD')];
    $at_once = $port === '465';
    try {
        $stream = mail_server($at_once ? 'ssl' : 'tcp', $name, $port);
        if (!$at_once) {
            converse($stream, [['', '220 '], ['EHLO tenant', '250 '], ['STARTTLS', '220 ']]);
            @stream_socket_enable_crypto($stream, true, STREAM_CRYPTO_METHOD_TLS_CLIENT) || throw new Exception('no TLS');
        }
        converse($stream, [...($at_once ? [['', '220 ']] : []), ['EHLO tenant', '250 '],
            ['AUTH PLAIN ' . base64_encode("\0$user\0$password"), '235 '], ['MAIL FROM:<a@example.com>', '250 '],
            ['RCPT TO:<b@example.com>', '250 '], ['DATA', '354 '], ["Subject: lab\r\n\r\nhello\r\n.", '250 '], ['QUIT', '221 ']]);
        return 'sent';
    } catch (Exception $e) {
        return $e->getMessage();
    }
}

// mailbox NAME PORT LINES
function mailbox(string $name, string $port, array $lines): string
{
    try {
        converse(mail_server('ssl', $name, $port), $lines);
        return 'fetched';
    } catch (Exception $e) {
        return $e->getMessage();
    }
}

function pop(string $name, string $port): string
{
    return mailbox($name, $port, [['', '+OK'], ['USER ' . getenv('LAB_USER'), '+OK'], ['PASS ' . getenv('LAB_PASSWORD'), '+OK'],
        ['STAT', '+OK'], ['QUIT', '+OK']]);
}

function imap(string $name, string $port): string
{
    return mailbox($name, $port, [['', '* OK'], ['1 LOGIN ' . getenv('LAB_USER') . ' ' . getenv('LAB_PASSWORD'), '1 OK'],
        ['2 SELECT INBOX', '2 OK'], ['3 LOGOUT', '3 OK']]);
}

function last_error(?Socket $socket = null): string
{
    return socket_strerror(socket_last_error($socket));
}

function socket(string $family, string $type, string $protocol): string
{
    return @socket_create(constant("AF_$family"), constant("SOCK_$type"), (int) $protocol) ? 'made' : last_error();
}

function bind(string $family, string $address, string $port): string
{
    $socket = socket_create(constant("AF_$family"), SOCK_STREAM, SOL_TCP);
    return @socket_bind($socket, $address, (int) $port) ? 'bound' : last_error($socket);
}

function serve(string $file): string
{
    $server = @stream_socket_server('tcp://0.0.0.0:0', $errno, $error);
    if (!$server) {
        return $error;
    }
    file_put_contents("$file.new", parse_url('tcp://' . stream_socket_get_name($server, false), PHP_URL_PORT) . "\n");
    rename("$file.new", $file);
    return @stream_socket_accept($server, SECONDS) ? 'a visitor' : 'nobody came';
}

function show(mixed $value): string
{
    return is_array($value) ? implode(', ', $value) : (string) $value;
}

function level(string $name): int
{
    return str_starts_with($name, 'TCP_') ? SOL_TCP : SOL_SOCKET;
}

function option(string $name): string
{
    $socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    $new = $name === 'SO_LINGER' ? ['l_onoff' => 1, 'l_linger' => 3] : 12345;
    $set = @socket_set_option($socket, level($name), constant($name), $new);
    $value = @socket_get_option($socket, level($name), constant($name));
    return $value === false ? last_error($socket) : show($value) . ($set ? ', set ok' : ', set failed');
}

function pass(string $name): string
{
    $socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    $value = @socket_get_option($socket, level($name), constant($name));
    return $value === false ? last_error($socket) : show($value);
}

function give(string $path, string $address, string $port): string
{
    $socket = stream_socket_client(target('udp', $address, $port));
    $over = socket_create(AF_UNIX, SOCK_DGRAM, 0);
    $rights = ['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => [$socket]];
    if (!@socket_sendmsg($over, ['name' => ['path' => $path], 'iov' => ['x'], 'control' => [$rights]])) {
        return last_error($over);
    }
    for ($tries = 0; $tries < 100 && !file_exists("$path.answer"); $tries++) {
        usleep(20000);
    }
    return trim((string) @file_get_contents("$path.answer"));
}

while (($line = fgets(STDIN)) !== false) {
    $words = explode(' ', trim($line));
    echo reason(array_shift($words)(...$words)), "\n";
}
