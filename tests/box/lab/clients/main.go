// main MODE URL: print what URL answers. Go has one way to connect, so both modes are the same.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"
)

func fetch(url string) error {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}

func main() {
	err := fetch(os.Args[2])
	if err == nil {
		return
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(1)
}
