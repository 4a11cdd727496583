// Pairs NAME PORT PAIRS THREADS: as pairs.c, with Java's InetAddress and no cache of its own; connects to each address.

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.Security;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

class Pairs {
    static final int TIMEOUT = 10_000;
    static final AtomicLong left = new AtomicLong(), ok = new AtomicLong(), refused = new AtomicLong(), other = new AtomicLong();

    static boolean connect(InetAddress address, int port) {
        try (Socket socket = new Socket()) {
            socket.setSoLinger(true, 0);
            socket.connect(new InetSocketAddress(address, port), TIMEOUT);
            return true;
        } catch (IOException e) {
            boolean denied = e.getMessage().startsWith("Permission denied") || e.getMessage().startsWith("Operation not permitted");
            (denied ? refused : other).incrementAndGet();
            System.out.println(denied ? "refused " + address.getHostAddress() : "other " + address.getHostAddress() + ": " + e);
            return false;
        }
    }

    static void pairs(String name, int port) {
        while (left.getAndDecrement() > 0) {
            try {
                boolean good = true;
                for (InetAddress each : InetAddress.getAllByName(name)) {
                    good &= connect(each, port);
                }
                if (good) {
                    ok.incrementAndGet();
                }
            } catch (IOException e) {
                other.incrementAndGet();
                System.out.println("other " + e);
            }
        }
    }

    public static void main(String[] args) throws InterruptedException {
        Security.setProperty("networkaddress.cache.ttl", "0");
        Security.setProperty("networkaddress.cache.negative.ttl", "0");
        left.set(Long.parseLong(args[2]));
        int threads = Integer.parseInt(args[3]);
        ExecutorService all = Executors.newFixedThreadPool(threads);
        for (int i = 0; i < threads; i++) {
            all.submit(() -> pairs(args[0], Integer.parseInt(args[1])));
        }
        all.shutdown();
        all.awaitTermination(1, TimeUnit.HOURS);
        System.out.printf("ok %d refused %d other %d%n", ok.get(), refused.get(), other.get());
    }
}
