import Wire

/// The packets of RFC 1002 4.2.2 to 4.2.18, by name.
extension NameServicePacket {
    /// 4.2.12, NAME QUERY REQUEST. A broadcast wants the owner to answer, otherwise the server.
    package static func query(
        _ transactionID: UInt16, _ name: ScopedName, broadcast: Bool
    ) -> NameServicePacket {
        NameServicePacket(
            transactionID: transactionID,
            NameServiceFlags(.query, recursionDesired: true, broadcast: broadcast),
            question: Question(name, .netBIOS))
    }

    /// 4.2.17, NODE STATUS REQUEST.
    package static func nodeStatusRequest(
        _ transactionID: UInt16, _ name: ScopedName = ScopedName(.wildcard)
    ) -> NameServicePacket {
        NameServicePacket(
            transactionID: transactionID, NameServiceFlags(.query),
            question: Question(name, .nodeStatus))
    }

    /// 4.2.2, NAME REGISTRATION REQUEST; 4.2.3, NAME OVERWRITE REQUEST, where `overwrite`; 4.2.4,
    /// NAME REFRESH REQUEST, and multi-homed registration, by `opcode`.
    package static func registration(
        _ transactionID: UInt16, _ name: ScopedName, _ entry: AddressEntry, timeToLive: UInt32,
        broadcast: Bool, overwrite: Bool = false, opcode: NameServiceOpcode = .registration
    ) -> NameServicePacket {
        NameServicePacket(
            transactionID: transactionID,
            NameServiceFlags(opcode, recursionDesired: !overwrite, broadcast: broadcast),
            question: Question(name, .netBIOS),
            additional: NameServiceRecord(
                name, .netBIOS, timeToLive: timeToLive, .addresses([entry])))
    }

    /// 4.2.9, NAME RELEASE REQUEST, also a demand.
    package static func release(
        _ transactionID: UInt16, _ name: ScopedName, _ entry: AddressEntry, broadcast: Bool
    ) -> NameServicePacket {
        NameServicePacket(
            transactionID: transactionID, NameServiceFlags(.release, broadcast: broadcast),
            question: Question(name, .netBIOS),
            additional: NameServiceRecord(name, .netBIOS, timeToLive: 0, .addresses([entry])))
    }

    /// 4.2.13, POSITIVE NAME QUERY RESPONSE.
    package static func positiveQueryResponse(
        to request: NameServicePacket, _ name: ScopedName, _ entries: [AddressEntry],
        timeToLive: UInt32, recursionAvailable: Bool = false
    ) -> NameServicePacket {
        NameServicePacket(
            transactionID: request.transactionID,
            NameServiceFlags(
                response: true, .query, authoritative: true,
                recursionDesired: request.flags.isRecursionDesired,
                recursionAvailable: recursionAvailable),
            answer: NameServiceRecord(
                name, .netBIOS, timeToLive: timeToLive, .addresses(entries)))
    }

    /// 4.2.14, NEGATIVE NAME QUERY RESPONSE.
    package static func negativeQueryResponse(
        to request: NameServicePacket, _ name: ScopedName, _ result: NameServiceResult,
        recursionAvailable: Bool = false
    ) -> NameServicePacket {
        NameServicePacket(
            transactionID: request.transactionID,
            NameServiceFlags(
                response: true, .query, authoritative: true,
                recursionDesired: request.flags.isRecursionDesired,
                recursionAvailable: recursionAvailable, result: result),
            answer: NameServiceRecord(name, .null, timeToLive: 0, .other([])))
    }

    /// 4.2.5 and 4.2.6, POSITIVE and NEGATIVE NAME REGISTRATION RESPONSE, 4.2.8, NAME CONFLICT
    /// DEMAND (result `conflict`, unasked), and 4.2.10 and 4.2.11, NAME RELEASE RESPONSE: all the
    /// same but for the opcode and the result.
    package static func registrationResponse(
        to request: NameServicePacket, _ name: ScopedName, _ entry: AddressEntry,
        timeToLive: UInt32, _ result: NameServiceResult = .success,
        recursionAvailable: Bool = false
    ) -> NameServicePacket {
        let opcode = request.flags.opcode
        return NameServicePacket(
            transactionID: request.transactionID,
            NameServiceFlags(
                response: true, opcode == .release ? .release : .registration,
                authoritative: true, recursionDesired: request.flags.isRecursionDesired,
                recursionAvailable: recursionAvailable, result: result),
            answer: NameServiceRecord(
                name, .netBIOS, timeToLive: timeToLive, .addresses([entry])))
    }

    /// 4.2.8, NAME CONFLICT DEMAND.
    package static func conflictDemand(
        _ transactionID: UInt16, _ name: ScopedName, _ entry: AddressEntry
    ) -> NameServicePacket {
        NameServicePacket(
            transactionID: transactionID,
            NameServiceFlags(
                response: true, .registration, authoritative: true, recursionDesired: true,
                recursionAvailable: true, result: .conflict),
            answer: NameServiceRecord(name, .netBIOS, timeToLive: 0, .addresses([entry])))
    }

    /// 4.2.16, WAIT FOR ACKNOWLEDGEMENT RESPONSE: the answer will take `seconds` more.
    package static func waitForAcknowledgement(
        of request: NameServicePacket, _ name: ScopedName, seconds: UInt32
    ) -> NameServicePacket {
        NameServicePacket(
            transactionID: request.transactionID,
            NameServiceFlags(response: true, .waitForAcknowledgement, authoritative: true),
            answer: NameServiceRecord(
                name, .netBIOS, timeToLive: seconds, .acknowledged(request.flags)))
    }

    /// 4.2.15, REDIRECT NAME QUERY RESPONSE: ask `server` at `address`.
    package static func redirect(
        of request: NameServicePacket, _ name: ScopedName, to server: ScopedName,
        at address: IPv4Address, timeToLive: UInt32
    ) -> NameServicePacket {
        NameServicePacket(
            transactionID: request.transactionID,
            NameServiceFlags(
                response: true, .query, recursionDesired: request.flags.isRecursionDesired),
            authority: NameServiceRecord(
                name, .nameServer, timeToLive: timeToLive, .nameServer(server)),
            additional: NameServiceRecord(
                server, .address, timeToLive: timeToLive, .address(address)))
    }

    /// 4.2.18, NODE STATUS RESPONSE.
    package static func nodeStatusResponse(
        to request: NameServicePacket, _ name: ScopedName, _ status: NodeStatus
    ) -> NameServicePacket {
        NameServicePacket(
            transactionID: request.transactionID,
            NameServiceFlags(response: true, .query, authoritative: true),
            answer: NameServiceRecord(name, .nodeStatus, timeToLive: 0, .nodeStatus(status)))
    }

    /// The name that a request is about, or that a response answers about.
    package var name: ScopedName? { question?.name ?? answer?.name ?? authority?.name }

    /// The owner's addresses that a request registers or a response tells.
    package var addresses: [AddressEntry] {
        if case .addresses(let entries)? = (answer ?? additional)?.data { return entries }
        return []
    }
}
