# fetch.pl MODE URL: print what URL answers. MODE: blocking, or nonblocking (connect, then select).
use strict;
use warnings;
use Errno qw(EINPROGRESS EWOULDBLOCK);
use IO::Select;
use IO::Socket::IP;

my $timeout = 5;
my ($mode, $url) = @ARGV;
my ($host, $port, $path) = $url =~ m{^http://(\[[^]]+\]|[^/:]+)(?::(\d+))?(/.*)?$} or fail("bad URL");
$host =~ tr/[]//d;

sub fail {
    print STDERR "error: @_\n";
    exit 1;
}

sub wait_connected {
    my ($socket) = @_;
    fail($@) if $@;    # an error at once: the socket does not remember it
    until ($socket->connect) {    # tries the next address when one fails
        fail("$!") unless $!{EINPROGRESS} || $!{EWOULDBLOCK};
        IO::Select->new($socket)->can_write($timeout) or fail("timed out");
    }
    $socket->blocking(1);
}

$SIG{ALRM} = sub { fail("timed out") };
alarm $timeout;
$@ = "";
my $socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port || 80, Type => SOCK_STREAM,
    Blocking => $mode eq "blocking") or fail($@ =~ /: (.*)/ ? $1 : $@);
wait_connected($socket) if $mode eq "nonblocking";
print $socket "GET " . ($path || "/") . " HTTP/1.0\r\nHost: $host\r\n\r\n";
my $answer = do { local $/; <$socket> };
defined $answer && $answer =~ /\r\n\r\n(.*)/s or fail("no answer");
print $1;
