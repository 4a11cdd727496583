# fetch.rb MODE URL: print what URL answers. MODE: blocking (Net::HTTP) or nonblocking (connect_nonblock).
require 'net/http'
require 'socket'
require 'timeout'

TIMEOUT = 5

def blocking(uri)
  Net::HTTP.get(uri)
end

def connect(address)
  socket = Socket.new(address.afamily, :STREAM)
  begin
    socket.connect_nonblock(address)
  rescue IO::WaitWritable
    socket.wait_writable(TIMEOUT) or raise Errno::ETIMEDOUT
    begin
      socket.connect_nonblock(address)
    rescue Errno::EISCONN
      return socket
    end
  end
  socket
end

def connect_first(addresses)
  connect(addresses.shift)
rescue SystemCallError
  addresses.empty? ? raise : retry
end

def nonblocking(uri)
  socket = connect_first(Addrinfo.getaddrinfo(uri.hostname, uri.port, nil, :STREAM))
  socket.write("GET #{uri.path} HTTP/1.0\r\nHost: #{uri.hostname}\r\n\r\n")
  socket.read.split("\r\n\r\n", 2)[1]
end

begin
  mode, url = ARGV
  print Timeout.timeout(TIMEOUT) { mode == 'blocking' ? blocking(URI(url)) : nonblocking(URI(url)) }
rescue SystemCallError, SocketError, IOError, Timeout::Error => e
  warn "error: #{e.message}"
  exit 1
end
