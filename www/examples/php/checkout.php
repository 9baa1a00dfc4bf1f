<?php
/**
 * What <wechat-pay> needs from a backend, in one file: the two routes and the starred fields of the
 * contract, for Native (QR code) payments. No framework and no SDK, so that every step is in view.
 *
 *   MERCHANT_JSON=…/merchant.json php -S 127.0.0.1:8001 checkout.php
 *
 * and open http://127.0.0.1:8001/ . MERCHANT_JSON is what the simulator writes on its first start;
 * for WeChat itself you write your own account down in the same form. PHP 8.1, ext-curl, ext-openssl.
 *
 * Where a comment says SHOP, a real shop has something of its own.
 */

declare(strict_types=1);

/** How long an order can be paid. */
const EXPIRES_IN_S = 30 * 60;
/** WeChat is asked at most this often about one order, however often the page asks us. */
const ASK_EVERY_S = 2;
/** A code_url is good for two hours; a little less, so that none runs out in the buyer's hand. */
const CODE_URL_GOOD_FOR_S = 110 * 60;

ini_set('display_errors', 'stderr');

try {
    route($_SERVER['REQUEST_METHOD'], (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
} catch (Answer $answer) {
    send($answer->status, $answer->fields);
} catch (Throwable $fault) {
    error_log((string) $fault);
    send(500, ['error' => ['code' => 'INTERNAL', 'message' => 'a fault of the shop', 'retryable' => true]]);
}

function route(string $method, string $path): void
{
    $token = explode('/', $path)[3] ?? '';
    match ("$method " . preg_replace('#^/v1/checkouts/[^/]+#', '/v1/checkouts/{token}', $path)) {
        'GET /' => shop_page(),
        'POST /v1/checkouts/{token}/attempts' => change_order($token, start(...)),
        'GET /v1/checkouts/{token}' => change_order($token, look(...)),
        'POST /wechat/notify' => notified((string) file_get_contents('php://input')),
        default => refuse(404, 'ROUTE_UNKNOWN', 'there is nothing at this address'),
    };
}

// ---- The contract --------------------------------------------------------------------------

/** Start an attempt, or give the same one again: only Native here, so there is only ever one. */
function start(array &$order): never
{
    if (($_POST['product'] ?? '') !== 'native') {
        refuse(409, 'PRODUCT_UNAVAILABLE', 'this shop takes native payments', 'product');
    }
    ask_wechat($order);
    if ($order['state'] === 'open' && time() >= $order['expires_at']) {
        refuse(410, 'CHECKOUT_EXPIRED', 'the time for this order is over');
    }
    if ($order['state'] === 'open' && time() - $order['code_url_at'] > CODE_URL_GOOD_FOR_S) {
        $order['code_url'] = order_native($order);
        $order['code_url_at'] = time();
    }
    tell($order);
}

/** The state. `wait` and `seen` may be ignored: the element then asks again after a while. */
function look(array &$order): never
{
    ask_wechat($order);
    tell($order);
}

/** The flat object that the element reads. */
function tell(array $order): never
{
    $fields = [
        'state' => $order['state'],
        'order_no' => $order['order_no'],
        'description' => $order['description'],
        'total_fen' => $order['total_fen'],
        'remaining_ms' => max(0, $order['expires_at'] - time()) * 1000,
        'products' => ['native'],
        'live' => setting('base_url') === 'https://api.mch.weixin.qq.com',
        'attempt' => 0,
    ];
    if ($order['code_url'] !== '') {
        $fields['attempt'] = 1;
        $fields['product'] = 'native';
    }
    if ($order['code_url'] !== '' && $order['state'] === 'open') {
        $fields['code_url'] = $order['code_url'];
    }
    throw new Answer(200, $fields);
}

function refuse(int $status, string $code, string $message, ?string $field = null): never
{
    $error = ['code' => $code, 'message' => $message, 'retryable' => $status === 503];
    throw new Answer($status, ['error' => $error + ($field === null ? [] : ['field' => $field])]);
}

// ---- What WeChat says about an order -------------------------------------------------------

/** Ask now and then, for a notification may be lost; once it is too late to pay, close the order. */
function ask_wechat(array &$order): void
{
    $over = time() >= $order['expires_at'];
    if ($order['state'] !== 'open' || $order['code_url'] === '' || time() - $order['asked_at'] < ASK_EVERY_S) {
        return;
    }
    $order['asked_at'] = time();
    $address = '/v3/pay/transactions/out-trade-no/' . $order['order_no'];
    [$status, $transaction] = wechat('GET', "$address?mchid=" . setting('mchid'));
    if ($status === 200) {
        settle($order, $transaction);
    }
    if ($over && $status === 200 && $order['state'] === 'open') {
        [$status] = wechat('POST', "$address/close", encode(['mchid' => setting('mchid')]));
        $order['state'] = $status === 204 ? 'closed' : 'open';
    }
}

/** WeChat tells us that an order was paid: verify first, then open, then believe. */
function notified(string $body): never
{
    if (!signed_by_wechat(array_change_key_case(getallheaders()), $body)) {
        throw new Answer(401, ['code' => 'FAIL', 'message' => 'not signed by WeChat']);
    }
    $sealed = json_decode($body, true, 8, JSON_THROW_ON_ERROR)['resource'];
    $bytes = base64_decode($sealed['ciphertext']);
    $text = openssl_decrypt(
        substr($bytes, 0, -16), 'aes-256-gcm', setting('api_v3_key'), OPENSSL_RAW_DATA,
        $sealed['nonce'], substr($bytes, -16), $sealed['associated_data'] ?? '',
    );
    $transaction = json_decode((string) $text, true, 16, JSON_THROW_ON_ERROR);
    change_orders(function (array &$orders) use ($transaction): void {
        foreach ($orders as &$order) {
            if ($order['order_no'] === ($transaction['out_trade_no'] ?? '')) {
                settle($order, $transaction);
            }
        }
    });
    throw new Answer(204);
}

/** Believe that money moved only if it is this order's, in full. SHOP: ship here, and only once. */
function settle(array &$order, array $transaction): void
{
    $word = $transaction['trade_state'] ?? '';
    $ours = ($transaction['mchid'] ?? '') === setting('mchid')
        && ($transaction['appid'] ?? '') === setting('appid')
        && ($transaction['out_trade_no'] ?? '') === $order['order_no'];
    $in_full = ($transaction['amount']['total'] ?? 0) === $order['total_fen']
        && ($transaction['amount']['currency'] ?? '') === 'CNY';
    // REFUND too: giving back even a part turns the word, and it was paid all the same.
    if ($ours && $in_full && ($word === 'SUCCESS' || $word === 'REFUND')) {
        $order['state'] = 'paid';
    } elseif ($ours && $word === 'CLOSED' && $order['state'] === 'open') {
        $order['state'] = 'closed';
    }
}

// ---- WeChat Pay, APIv3. SHOP: your SDK does all of this ------------------------------------

/** Place the order and get its code_url. The body is kept: WeChat wants a repeat byte for byte. */
function order_native(array &$order): string
{
    $order['body'] ??= encode([
        'appid' => setting('appid'),
        'mchid' => setting('mchid'),
        'description' => $order['description'],
        'out_trade_no' => $order['order_no'],
        'time_expire' => gmdate(DATE_RFC3339, $order['expires_at']),
        'notify_url' => getenv('NOTIFY_URL') ?: 'http://' . $_SERVER['HTTP_HOST'] . '/wechat/notify',
        'amount' => ['total' => $order['total_fen'], 'currency' => 'CNY'],
    ]);
    [$status, $reply] = wechat('POST', '/v3/pay/transactions/native', $order['body']);
    return match (true) {
        $status === 200 => $reply['code_url'],
        $status === 0, $status === 429, $status >= 500 => refuse(503, 'WECHAT_UNAVAILABLE', 'WeChat did not answer'),
        default => refuse(502, 'WECHAT_REFUSED', 'WeChat did not take the order'),
    };
}

/** One signed request: status and fields; status 0 when no answer came that can be believed. */
function wechat(string $method, string $path_and_query, string $body = ''): array
{
    [$time, $nonce, $headers] = [(string) time(), bin2hex(random_bytes(16)), []];
    $message = "$method\n$path_and_query\n$time\n$nonce\n$body\n";
    openssl_sign($message, $signature, pem('private_key_file'), OPENSSL_ALGO_SHA256);
    $authorization = sprintf(
        'WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",signature="%s",timestamp="%s",serial_no="%s"',
        setting('mchid'), $nonce, base64_encode($signature), $time, setting('serial_no'),
    );
    $request = curl_init(setting('base_url') . $path_and_query);
    curl_setopt_array($request, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 8,
        CURLOPT_HTTPHEADER => [
            "Authorization: $authorization", 'Accept: application/json', 'Content-Type: application/json',
            'User-Agent: shop-example', 'Wechatpay-Serial: ' . setting('public_key_id'),
        ],
        CURLOPT_HEADERFUNCTION => function ($request, string $line) use (&$headers): int {
            [$name, $value] = explode(':', $line, 2) + [1 => ''];
            $headers[strtolower(trim($name))] = trim($value);
            return strlen($line);
        },
    ] + ($method === 'POST' ? [CURLOPT_POSTFIELDS => $body] : []));
    $reply = curl_exec($request);
    $status = curl_getinfo($request, CURLINFO_RESPONSE_CODE);
    // A refusal may come unsigned (then it is only that: a refusal); a success never does.
    $believed = is_string($reply) && ($status >= 400 || signed_by_wechat($headers, $reply));
    return $believed ? [$status, json_decode($reply, true) ?? []] : [0, []];
}

/** Whether WeChat wrote this body, and wrote it just now. */
function signed_by_wechat(array $headers, string $body): bool
{
    [$time, $nonce] = [$headers['wechatpay-timestamp'] ?? '', $headers['wechatpay-nonce'] ?? ''];
    $signature = (string) base64_decode($headers['wechatpay-signature'] ?? '', true);
    return ($headers['wechatpay-serial'] ?? '') === setting('public_key_id')
        && abs(time() - (int) $time) <= 300
        && openssl_verify("$time\n$nonce\n$body\n", $signature, pem('public_key_file'), OPENSSL_ALGO_SHA256) === 1;
}

/** SHOP: your account's settings; the private key stays where only the shop's process reads it. */
function setting(string $name): string
{
    static $settings = null;
    $settings ??= json_decode((string) file_get_contents((string) getenv('MERCHANT_JSON')), true, 8, JSON_THROW_ON_ERROR);
    return $settings[$name];
}

function pem(string $name): string
{
    $file = setting($name);
    return (string) file_get_contents($file[0] === '/' ? $file : dirname((string) getenv('MERCHANT_JSON')) . "/$file");
}

// ---- Orders. SHOP: your own table, with a row lock where a file is locked here -----------------

/** A new order, and the token by which its page may look and pay. The price is never the browser's. */
function new_order(int $total_fen, string $description): string
{
    $token = bin2hex(random_bytes(16));
    change_orders(function (array &$orders) use ($token, $total_fen, $description): void {
        $orders[$token] = [
            'order_no' => 'PHP-' . bin2hex(random_bytes(8)),
            'total_fen' => $total_fen,
            'description' => $description,
            'state' => 'open',
            'expires_at' => time() + EXPIRES_IN_S,
            'code_url' => '',
            'code_url_at' => 0,
            'asked_at' => 0,
        ];
    });
    return $token;
}

function change_order(string $token, callable $change): void
{
    change_orders(function (array &$orders) use ($token, $change): void {
        if (!isset($orders[$token])) {
            refuse(404, 'CHECKOUT_UNKNOWN', 'no checkout has this token');
        }
        $change($orders[$token]);
    });
}

/** Read, change and write the orders with nobody in between, also when `$change` ends in an answer. */
function change_orders(callable $change): void
{
    $file = fopen(getenv('ORDERS_FILE') ?: sys_get_temp_dir() . '/wechat-pay-example-orders.json', 'c+');
    flock($file, LOCK_EX);
    $orders = json_decode(stream_get_contents($file) ?: '[]', true);
    try {
        $change($orders);
    } finally {
        rewind($file);
        ftruncate($file, 0);
        fwrite($file, encode($orders));
        fclose($file);
    }
}

// ---- Answers and the page ------------------------------------------------------------------

/** An answer on its way out: thrown, so that what was changed is written before it is sent. */
final class Answer extends Exception
{
    public function __construct(public readonly int $status, public readonly ?array $fields = null)
    {
        parent::__construct();
    }
}

function send(int $status, ?array $fields): void
{
    http_response_code($status);
    header('Cache-Control: no-store');
    header('Vary: Origin');
    // Pages of other origins only by name, and never with cookies: the token is the authorisation.
    $origin = $_SERVER['HTTP_ORIGIN'] ?? '';
    if ($origin !== '' && in_array($origin, explode(' ', (string) getenv('ALLOWED_ORIGINS')), true)) {
        header("Access-Control-Allow-Origin: $origin");
    } elseif (($fields['error']['code'] ?? '') === 'ROUTE_UNKNOWN') {
        // Every page may read that an address is wrong: else it looks like a shop that is off.
        header('Access-Control-Allow-Origin: *');
    }
    if ($fields !== null) {
        header('Content-Type: application/json');
        echo encode($fields);
    }
}

function encode(array $fields): string
{
    return json_encode($fields, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
}

/** SHOP: your own payment page. Each visit of this one makes an order. */
function shop_page(): void
{
    $token = new_order(6910, '云南小粒咖啡');
    $script = htmlspecialchars(getenv('WECHAT_PAY_JS') ?: 'http://127.0.0.1:8080/dist/wechat-pay.js');
    header('Referrer-Policy: strict-origin-when-cross-origin');
    header('Cache-Control: no-store');
    echo <<<HTML
        <!doctype html>
        <html lang="zh-CN">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>付款</title>
        <link rel="icon" href="data:,">
        <h1>云南小粒咖啡 ¥69.10</h1>
        <wechat-pay token="$token" merchant-api="/v1"></wechat-pay>
        <script type="module" src="$script"></script>
        </html>
        HTML;
}
