// pairs NAME PORT PAIRS THREADS: as pairs.c, with Go's own resolver; by IPv4 and by IPv6 in turns, for Go tries the other
// address when one is refused.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
)

var networks = []string{"tcp4", "tcp6"}

type counts struct {
	sync.Mutex
	left, ok, refused, other int
}

func (c *counts) next() (int, bool) {
	c.Lock()
	defer c.Unlock()
	c.left--
	return c.left, c.left >= 0
}

func (c *counts) add(err error) {
	var op *net.OpError
	c.Lock()
	defer c.Unlock()
	switch {
	case err == nil:
		c.ok++
	case errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM):
		c.refused++
		errors.As(err, &op)
		fmt.Println("refused", op.Addr)
	default:
		c.other++
		fmt.Println("other", err)
	}
}

func pair(network, address string) error {
	connection, err := net.Dial(network, address)
	if err != nil {
		return err
	}
	connection.(*net.TCPConn).SetLinger(0)
	return connection.Close()
}

func main() {
	var done sync.WaitGroup
	address := net.JoinHostPort(os.Args[1], os.Args[2])
	pairs, _ := strconv.Atoi(os.Args[3])
	threads, _ := strconv.Atoi(os.Args[4])
	all := counts{left: pairs}
	for i := 0; i < threads; i++ {
		done.Add(1)
		go func() {
			defer done.Done()
			for n, more := all.next(); more; n, more = all.next() {
				all.add(pair(networks[n%len(networks)], address))
			}
		}()
	}
	done.Wait()
	fmt.Println("ok", all.ok, "refused", all.refused, "other", all.other)
}
