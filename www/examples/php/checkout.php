<?php
/**
 * A backend for <wechat-pay> in one file: the two routes and the required fields of the contract, for
 * Native (QR code) payments. It uses no framework and no SDK, so that every step is visible.
 *
 *   MERCHANT_JSON=…/merchant.json php -S 127.0.0.1:8001 checkout.php
 *
 * Then open http://127.0.0.1:8001/ . The simulator writes MERCHANT_JSON on its first start; for WeChat
 * itself, create a file of the same form for your account. PHP 8.1, ext-curl, ext-openssl.
 *
 * SHOP in a comment marks a part that a real shop replaces with its own.
 */

declare(strict_types=1);

/** How long an order can be paid, in seconds. */
const EXPIRES_IN_S = 30 * 60;
/** The shortest pause between two queries at WeChat for one order, however often the page polls. */
const QUERY_PAUSE_S = 2;
/** A code_url is valid for two hours. It is renewed a little earlier, before the buyer's code expires. */
const CODE_URL_GOOD_FOR_S = 110 * 60;

ini_set('display_errors', 'stderr');

try {
    route($_SERVER['REQUEST_METHOD'], (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
} catch (Answer $answer) {
    send($answer->status, $answer->fields);
} catch (Throwable $fault) {
    error_log((string) $fault);
    send(500, ['error' => ['code' => 'INTERNAL', 'message' => 'the shop failed', 'retryable' => true]]);
}

function route(string $method, string $path): void
{
    $token = explode('/', $path)[3] ?? '';
    match ("$method " . preg_replace('#^/v1/checkouts/[^/]+#', '/v1/checkouts/{token}', $path)) {
        'GET /' => shop_page(),
        'POST /v1/checkouts/{token}/attempts' => change_order($token, start(...)),
        'GET /v1/checkouts/{token}' => change_order($token, status(...)),
        'POST /wechat/notify' => receive_notification((string) file_get_contents('php://input')),
        default => refuse(404, 'ROUTE_UNKNOWN', 'no such route'),
    };
}

// ---- The contract --------------------------------------------------------------------------

/** Starts an attempt, or returns the same one again: with Native only, there is at most one. */
function start(array &$order): never
{
    if (($_POST['product'] ?? '') !== 'native') {
        refuse(409, 'PRODUCT_UNAVAILABLE', 'this shop accepts native payments only', 'product');
    }
    query_wechat($order);
    if ($order['state'] === 'open' && time() >= $order['expires_at']) {
        refuse(410, 'CHECKOUT_EXPIRED', 'the order has expired');
    }
    if ($order['state'] === 'open' && time() - $order['code_url_at'] > CODE_URL_GOOD_FOR_S) {
        $order['code_url'] = order_native($order);
        $order['code_url_at'] = time();
    }
    answer($order);
}

/** Returns the state. `wait` and `seen` may be ignored: the element then polls again after a pause. */
function status(array &$order): never
{
    query_wechat($order);
    answer($order);
}

/** Answers with the flat object that the element reads. */
function answer(array $order): never
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

// ---- The order's state at WeChat ------------------------------------------------------------

/** Queries WeChat, because a notification may be lost, and closes the order after its deadline. */
function query_wechat(array &$order): void
{
    $over = time() >= $order['expires_at'];
    if ($order['state'] !== 'open' || $order['code_url'] === '' || time() - $order['queried_at'] < QUERY_PAUSE_S) {
        return;
    }
    $order['queried_at'] = time();
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

/** Receives the notification of a payment: verify it first, then decrypt it, then settle the order. */
function receive_notification(string $body): never
{
    if (!signed_by_wechat(array_change_key_case(getallheaders()), $body)) {
        throw new Answer(401, ['code' => 'FAIL', 'message' => 'the signature is not WeChat\'s']);
    }
    $resource = json_decode($body, true, 8, JSON_THROW_ON_ERROR)['resource'];
    $bytes = base64_decode($resource['ciphertext']);
    $text = openssl_decrypt(
        substr($bytes, 0, -16), 'aes-256-gcm', setting('api_v3_key'), OPENSSL_RAW_DATA,
        $resource['nonce'], substr($bytes, -16), $resource['associated_data'] ?? '',
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

/** Marks the order as paid only if the payment is for this order and in full. SHOP: ship here, once. */
function settle(array &$order, array $transaction): void
{
    $trade_state = $transaction['trade_state'] ?? '';
    $ours = ($transaction['mchid'] ?? '') === setting('mchid')
        && ($transaction['appid'] ?? '') === setting('appid')
        && ($transaction['out_trade_no'] ?? '') === $order['order_no'];
    $in_full = ($transaction['amount']['total'] ?? 0) === $order['total_fen']
        && ($transaction['amount']['currency'] ?? '') === 'CNY';
    // REFUND too: after any refund trade_state is REFUND, and the order was paid.
    if ($ours && $in_full && ($trade_state === 'SUCCESS' || $trade_state === 'REFUND')) {
        $order['state'] = 'paid';
    } elseif ($ours && $trade_state === 'CLOSED' && $order['state'] === 'open') {
        $order['state'] = 'closed';
    }
}

// ---- WeChat Pay, APIv3. SHOP: your SDK does all of this ------------------------------------

/** Creates the order at WeChat and returns its code_url. A repeat must have the same body, byte for byte. */
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
        default => refuse(502, 'WECHAT_REFUSED', 'WeChat refused the order'),
    };
}

/** Sends a signed request. Returns status and fields; status 0 if there is no trustworthy answer. */
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
    // A refusal may be unsigned; a success is always signed.
    $trusted = is_string($reply) && ($status >= 400 || signed_by_wechat($headers, $reply));
    return $trusted ? [$status, json_decode($reply, true) ?? []] : [0, []];
}

/** Whether WeChat signed this body within the last minutes. */
function signed_by_wechat(array $headers, string $body): bool
{
    [$time, $nonce] = [$headers['wechatpay-timestamp'] ?? '', $headers['wechatpay-nonce'] ?? ''];
    $signature = (string) base64_decode($headers['wechatpay-signature'] ?? '', true);
    return ($headers['wechatpay-serial'] ?? '') === setting('public_key_id')
        && abs(time() - (int) $time) <= 300
        && openssl_verify("$time\n$nonce\n$body\n", $signature, pem('public_key_file'), OPENSSL_ALGO_SHA256) === 1;
}

/** SHOP: your account's settings. Only the shop's process may read the private key. */
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

// ---- Orders. SHOP: your own table, with a row lock instead of the file lock ---------------------

/** Creates an order and the token that its page reads and pays with. The browser never sets the price. */
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
            'queried_at' => 0,
        ];
    });
    return $token;
}

function change_order(string $token, callable $change): void
{
    change_orders(function (array &$orders) use ($token, $change): void {
        if (!isset($orders[$token])) {
            refuse(404, 'CHECKOUT_UNKNOWN', 'no order has this token');
        }
        $change($orders[$token]);
    });
}

/** Reads, changes and writes the orders under a lock, also if `$change` throws an answer. */
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

/** An answer to send. It is thrown, so that the changed orders are written before it is sent. */
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
    // Only listed origins may read answers, and never with cookies: the token authorises the request.
    $origin = $_SERVER['HTTP_ORIGIN'] ?? '';
    if ($origin !== '' && in_array($origin, explode(' ', (string) getenv('ALLOWED_ORIGINS')), true)) {
        header("Access-Control-Allow-Origin: $origin");
    } elseif (($fields['error']['code'] ?? '') === 'ROUTE_UNKNOWN') {
        // Every page may read this error: otherwise a wrong address looks like a shop that is down.
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

/** SHOP: your own payment page. Each visit of this page creates an order. */
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
